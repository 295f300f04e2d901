"""Uploading a staged folder to the Hugging Face hub."""

from __future__ import annotations

from skinfw.components.outside import HUB
from skinfw.errors import UserError, first_line, listed
from skinfw.models.hub import SPEC, is_refused
from skinfw.sharing.stage import FILES, Staged


def upload(staged: Staged, *, private: bool = False) -> str:
    """Upload a staged folder in one commit; its repository is created if needed.

    Args:
        staged: the folder.
        private: whether to create a private repository; an existing one stays as it is.

    Returns:
        the model's name with its commit, ``hub:ORG/NAME@COMMIT``.

    Raises:
        UserError: you are not logged in or may not write there, the repository holds something else, or the
            hub cannot be reached.
    """
    from huggingface_hub import HfApi, constants

    api = HfApi()
    try:
        api.create_repo(staged.repo, private=private, exist_ok=True)
        there = set(api.list_repo_files(staged.repo)) - {".gitattributes"}
        if there and SPEC not in there:
            raise UserError(
                f"{staged.repo}: holds something else than a shared run ({listed(sorted(there), 3)}); give "
                "another name"
            )
        commit = api.upload_folder(
            repo_id=staged.repo,
            folder_path=staged.folder,
            commit_message="Share a run of skinfw",
            # files of an earlier upload that this one does not replace
            delete_patterns=list(FILES),
        )
    except UserError:
        raise
    except Exception as error:  # httpx, the library and the system raise their own
        login = "; log in with hf auth login, with a token that may write there" if is_refused(error) else ""
        raise UserError(
            f"{staged.repo}: cannot be uploaded to {constants.ENDPOINT} ({type(error).__name__}: "
            f"{first_line(error)}){login}"
        ) from error
    return f"{HUB}{staged.repo}@{commit.oid}"
