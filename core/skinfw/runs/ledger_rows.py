"""The rows of a ledger, found in a spec. Light: no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from skinfw.components.config import DatasetConfig
from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import installed
from skinfw.components.trust import named_outside
from skinfw.components.weights import WeightsFile, file_sha256, weights_on_disk
from skinfw.errors import SkinfwError, UserError, first_line
from skinfw.licenses.ledger import Commercial, LedgerRow, RowKind, worst
from skinfw.licenses.packages import package_row
from skinfw.licenses.terms import Terms, normalized
from skinfw.models.embedded import find_model, is_embedded
from skinfw.models.hub import is_on_hub, repository
from skinfw.models.named import model_file
from skinfw.runs.checkpoint_header import read_header
from skinfw.runs.environment import components_of, versions
from skinfw.specs.licenses_spec import DeclaredLicense
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec

PHOTOS = "photos"
"""The name in the ledger of photos that no data set's component describes."""


@dataclass
class LedgerRows:
    """Collects rows; what several parts of a run use has one row.

    Attributes:
        declared: what the user knows, by name.
        read: whether files that the spec names may be read.
        found: the rows by kind, name and hash.
        within: the checkpoints whose runs are being read, as runs may name each other.
    """

    declared: Mapping[str, DeclaredLicense]
    read: bool
    found: dict[tuple[RowKind, str, str], LedgerRow] = field(default_factory=dict)
    within: frozenset[Path] = frozenset()

    def run(self, spec: AnySpec, data_sha256: str, hooks: Iterable[str] = ()) -> None:
        """Add everything that a run with a spec uses.

        Args:
            spec: the spec.
            data_sha256: fingerprint of the data, if they were read.
            hooks: the distributions whose hooks observed the run.
        """
        registry, components = installed(), components_of(spec)
        for name in versions():
            self.code(name)
        for name in hooks:
            self.code(name, "hooks")
        for component in components:
            provider = registry.entry(component.kind, component.name).provider
            named = re.fullmatch(r"([\w.-]+) \S+", provider)
            self.code(named[1] if named else provider, f"{component.kind} {component.name}")
        self.data(spec, data_sha256)
        for component in components:
            self.weights(component)
        if spec.training.initial_weights is not None:
            self.trained(spec.training.initial_weights, "training")

    def add(self, row: LedgerRow, user: str = "") -> None:
        """Add a row, or add a user to the row that is already there."""
        key = (row.kind, row.name, row.sha256)
        known = self.found.get(key, row)
        users = dict.fromkeys([*known.used_by, *row.used_by, *([user] if user else [])])
        self.found[key] = known.model_copy(update={"used_by": tuple(users)})

    def code(self, name: str, user: str = "") -> None:
        """Add a distribution."""
        self.add(package_row(name), user)

    def other(
        self,
        kind: RowKind,
        name: str,
        terms: Terms | None,
        user: str,
        *,
        address: str = "",
        revision: str = "",
        sha256: str = "",
        note: str = "",
        permits: Commercial | None = None,
    ) -> None:
        """Add data or weights; what the user declared replaces what is known."""
        own = self.declared.get(name)
        if own is not None:
            terms = Terms(own.license, own.stated, own.commercial, own.note)
            note, permits = "declared in the spec" + (f": {own.note}" if own.note else ""), None
            address, revision = own.address or address, own.revision or revision
        if permits is None:
            permits = "unknown" if terms is None else terms.permits
        self.add(
            LedgerRow(
                kind=kind,
                name=name,
                license=None if terms is None else terms.license,
                commercial=permits,
                address=address,
                revision=revision,
                sha256=sha256,
                stated="" if terms is None else terms.stated,
                note=note or ("" if terms is None else terms.note),
            ),
            user,
        )

    def data(self, spec: AnySpec, sha256: str) -> None:
        """Add the data set."""
        sha256 = sha256 if re.fullmatch(r"[0-9a-f]{64}", sha256) else ""  # a plugin's may be anything
        if isinstance(spec, SegmentationSpec):
            self.other("data", PHOTOS, None, "data", sha256=sha256, note=_UNDECLARED)
            return
        dataset = spec.data.dataset
        config = dataset.config
        terms = config.terms if isinstance(config, DatasetConfig) else None
        address = config.address if isinstance(config, DatasetConfig) else ""
        note = _UNDECLARED if terms is None else ""
        self.other("data", dataset.name, terms, "data", address=address, sha256=sha256, note=note)

    def weights(self, component: ComponentSpec) -> None:
        """Add the weights that a component uses."""
        config, user = component.config, f"{component.kind} {component.name}"
        for file in config.published_files():
            self.published(file, user)
        for each in config.hub_weights():
            note = "" if each.terms else "its license is not recorded here"
            self.other(
                "weights",
                each.name,
                each.terms,
                user,
                address=each.address,
                revision=each.revision,
                note=note,
            )
        trained = config.trained_by()
        if trained is not None:
            self.trained(trained, user)
        for path in _named_files(component, trained):
            self.file(path, config.known_files(), user)

    def published(self, file: WeightsFile, user: str) -> None:
        """Add a published file."""
        on_disk = _on_disk(file)
        # the publisher may give only the first digits
        sha256 = _hash(on_disk) if on_disk is not None else file.sha256 if len(file.sha256) == 64 else ""
        self.other("weights", file.name, file.terms, user, address=file.url, sha256=sha256)

    def file(self, path: Path, known: Iterable[WeightsFile], user: str) -> None:
        """Add a file that the spec names."""
        sha256 = _hash(path) if self.read and path.is_file() else ""
        for file in known:
            if sha256 and (sha256.startswith(file.sha256) or sha256 in file.also):
                self.other("weights", path.name, file.terms, user, address=file.url, sha256=sha256)
                return
        self.other("weights", path.name, None, user, sha256=sha256, note=_UNDECLARED)

    def embedded(self, path: Path, user: str) -> None:
        """Add a model in the package."""
        try:
            model = find_model(str(path))
        except UserError as error:  # another version of skinfw had it
            self.other("weights", str(path), None, user, note=first_line(error))
            return
        try:
            terms = Terms(normalized(model.license), f"{model.reference}, its card")
        except ValueError:  # it is described in words
            terms = None
        note = "" if terms else model.license
        self.other("weights", model.reference, terms, user, sha256=model.sha256, note=note)

    def on_hub(self, path: Path, user: str) -> None:
        """Add a model on a hub."""
        try:
            repo, revision = repository(path.as_posix())
        except UserError as error:
            self.other("weights", path.as_posix(), None, user, note=first_line(error))
            return
        address = f"https://huggingface.co/{repo}"
        self.other("weights", repo, None, user, address=address, revision=revision or "", note=_ON_PAGE)

    def trained(self, path: Path, user: str) -> None:
        """Add the checkpoint of another run, and the rows of that run."""
        if is_embedded(path):
            self.embedded(path, user)
            return
        if is_on_hub(path):
            self.on_hub(path, user)
            return
        name = path.name
        if not self.read:
            self.other("weights", name, None, user, note="somebody else's run names it; it was not read")
            return
        file = model_file(path).resolve()
        if file in self.within:  # its rows are being added
            return
        try:
            header = read_header(file)
            spec = header.parsed_spec()
        except SkinfwError:
            self.other("weights", name, None, user, note="a run that cannot be read")
            return
        sha256 = _hash(file)
        if not header.own:
            self.other("weights", name, None, user, sha256=sha256, note="somebody else trained it")
            return
        inner = LedgerRows(spec.licenses.declared, self.read, within=self.within | {file})
        inner.run(spec, header.progress.data)
        permits = worst(row.commercial for row in inner.found.values())
        note = "trained with skinfw: as its own rows"
        self.other("weights", name, None, user, sha256=sha256, note=note, permits=permits)
        for row in inner.found.values():
            self.add(row.model_copy(update={"used_by": ()}), name)


_UNDECLARED = "its license is not declared"
_ON_PAGE = "somebody else's model, whose page names its license"


def _named_files(component: ComponentSpec, trained: Path | None) -> Iterator[Path]:
    """Yield the files and folders that a component itself names, not those of components in it.

    Those of a data set are data. Any other may hold weights, whatever its name.
    """
    if component.kind == "dataset":
        return
    config = component.config
    known = {each.name for each in config.hub_weights()}
    by_name = bool(known or config.published_files())
    inner = {each.value for part in components_of(config) for each in named_outside(part, training=True)}
    for each in named_outside(component, training=True):
        path = Path(each.value)
        if each.kind == "program" or each.value in known or each.value in inner or path == trained:
            continue
        if not (by_name and each.value == path.stem):  # a word such as imagenet, which names those weights
            yield path


def _on_disk(file: WeightsFile) -> Path | None:
    try:
        return weights_on_disk(file)
    except SkinfwError:  # another file of that name; using it raises its own error
        return None


@cache
def _hash(path: Path) -> str:
    return file_sha256(path)
