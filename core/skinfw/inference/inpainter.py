"""Painting photos at their own resolution with a trained network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from skinfw.assembly.inputs import dataset_io
from skinfw.components.reference import ComponentLike
from skinfw.components.trust import connections
from skinfw.data.body_parts import Limb
from skinfw.data.face import face_classes
from skinfw.data.keypoints import Keypoints
from skinfw.data.people import PointInPhoto
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.errors import DataError, UserError
from skinfw.inference.allowed import Allowed, allowed_pixels, kind_of
from skinfw.inference.background import TELEA, Fill, fill_background, fill_with, soft_edge
from skinfw.inference.beside import labels_by
from skinfw.inference.condition import as_background, make_condition
from skinfw.inference.expose import known_limbs
from skinfw.inference.finders import build_finders
from skinfw.inference.holes import holes_of, holes_on_body
from skinfw.inference.laid_over import PaintedBy, laid_over, painted_alpha
from skinfw.inference.open_model import open_model
from skinfw.inference.paint_mask import (
    OPAQUE,
    MaskLike,
    Rgb,
    check_place,
    person_of_mask,
    read_paint_mask,
)
from skinfw.inference.painted import Painted
from skinfw.inference.painting_model import PaintingModel
from skinfw.inference.person_at import check_one_person, people_of
from skinfw.inference.region import bare, check_finds_skin
from skinfw.inference.source_photo import ImageLike, SourcePhoto, read_source
from skinfw.interfaces import DatasetIO, PoseEncoder, Segmenter
from skinfw.preparation.crop import person_box
from skinfw.preparation.finders import on_disk
from skinfw.preparation.person import check_segmentation, segmented
from skinfw.runtime.box import Box, crop_box
from skinfw.runtime.full_resolution import ALL_STEPS, Steps, paint_full_resolution
from skinfw.specs.compatibility import gives_alpha


@dataclass(frozen=True)
class _Seen:
    """What was found in a photo.

    Attributes:
        labels: its label map.
        person: the pixels of the person to paint, bool ``(H, W)``.
        pose: that person's pose; None if nothing needs it.
        labels_by: what found the label map, for reports.
    """

    labels: Segmentation
    person: Mask
    pose: Keypoints | None
    labels_by: str


class Inpainter:
    """Paints the skin that is missing in photos.

    Args:
        model: the network.
        io: the network's size and inputs.
        segmenter: finds skin, head, feet and apparel.
        pose_encoder: finds the pose.
        trusted: whether segmenter and pose encoder may open connections.
        finds_skin: whether the network gives an alpha and so finds the skin in a region.
        background: fills what is behind a limb.
        name: names the model in reports.
        segmenter_name: names the segmenter in reports.
        pose_optional: whether masks are painted without a pose, unless the model needs one.

    Example::

        inpainter = skinfw.Inpainter.load("runs/photos", pose_encoder="bodypix")
        inpainter.paint("photo.jpg", "mask.png").save("painted.png")
    """

    def __init__(
        self,
        model: PaintingModel,
        io: DatasetIO,
        segmenter: Segmenter[Any],
        pose_encoder: PoseEncoder[Any],
        *,
        trusted: bool = True,
        finds_skin: bool = False,
        background: Fill = TELEA,
        name: str = "",
        segmenter_name: str = "",
        pose_optional: bool = False,
    ) -> None:
        self.model, self.io, self.finds_skin = model, io, finds_skin
        self.segmenter, self.pose_encoder = segmenter, pose_encoder
        self.trusted = trusted
        self.background = background
        self.name, self.segmenter_name, self.pose_optional = name, segmenter_name, pose_optional

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        checkpoint: Literal["best", "last"] = "best",
        device: Literal["auto", "cpu"] | None = None,
        segmenter: ComponentLike | None = None,
        pose_encoder: ComponentLike | None = None,
        background: ComponentLike | None = None,
        trust: bool = False,
    ) -> Inpainter:
        """Load a trained model.

        Args:
            model: a run folder, a .safetensors checkpoint, an exported .onnx file, or a model in the package
                by its name, such as ``skinfw:street-painter``.
            checkpoint: the best or the last checkpoint of a run.
            device: where the network runs; None for that of its spec, and for exported files any that fits.
            segmenter: None for the one that prepared the training photos, or the default. If that reads
                files, the model in the package finds the parts of the person in photos that have none.
            pose_encoder: None for the one that prepared the training photos, or the default.
            background: a generator with nothing to train that fills what is behind a limb, such as ``onnx``
                with an inpainting network; None for OpenCV's inpainting.
            trust: allow the programs, paths and addresses in the spec of a run that somebody else trained.

        Raises:
            RunError: the run has no readable checkpoint, or it is not for inpainting.
            TrustError: somebody else trained it, and it names programs, paths or addresses.
            SpecError: a component's parameters are invalid.
            UserError: the background's generator needs training or other inputs.
        """
        found = open_model(Path(model), checkpoint, device, trust=trust)
        theirs = segmenter is None or pose_encoder is None
        trusted = found.trusted or not theirs
        with connections(trusted):
            finders = build_finders(found, segmenter, pose_encoder)
            return cls(
                found.network,
                dataset_io(found.spec, ()),
                finders.segmenter,
                finders.pose_encoder,
                trusted=trusted,
                finds_skin=gives_alpha(found.spec.generator),
                background=fill_with(background),
                name=found.name,
                segmenter_name=finders.segmenter_name,
                pose_optional=finders.pose_optional,
            )

    def paint(
        self,
        image: ImageLike,
        mask: MaskLike | None = None,
        *,
        region: MaskLike | None = None,
        expose: Collection[Limb] = (),
        mask_color: Rgb | None = None,
        person: PointInPhoto | None = None,
        segmentation: Segmentation | None = None,
        keypoints: Keypoints | None = None,
        seed: int = 0,
        steps: Steps = ALL_STEPS,
    ) -> Painted:
        """Paint the masked pixels of a photo; all others stay as they are, bit for bit.

        Args:
            image: the photo: a file, an image of Pillow, or uint8 RGB ``(H, W, 3)``.
            mask: what to paint: white, transparent or True; of the photo's size. None: the transparent or
                flat white holes on the limbs and the neck.
            region: instead of a mask: a garment to take off, marked in the same way. A model with alpha finds
                the skin in it; the rest and a thin margin around it become background. Trunk, hips and hands
                are left as they are.
            expose: instead of a mask: limbs whose clothes to take off, of ``neck``, ``arms`` (``upper_arms``
                and ``forearms``) and ``legs`` (``thighs`` and ``lower_legs``). Limbs are drawn along the
                pose; the rest of these clothes and a thin margin around them become background. Trunk, hips
                and hands are left as they are.
            mask_color: the color that marks what to paint, in the mask or, without one, in the photo.
            person: column and row of a pixel of the person to paint; None: the most prominent one.
            segmentation: the photo's label map; None: the segmenter finds it.
            keypoints: the person's pose in pixels of the photo; None: the pose encoder finds it.
            seed: chooses the fine structure of the skin; from 0.
            steps: what is done besides enlarging the network's image.

        Raises:
            UserError: mask, region and expose exclude each other, as do person and keypoints; a limb is
                unknown, the model finds no skin in a region, or the seed is negative.
            DataError: the photo or the mask cannot be used, nobody is in the photo, or there is nothing to
                paint; the message says why.
        """
        if seed < 0:
            raise UserError(f"seed {seed}: is negative; give 0 or more")
        expose = known_limbs(expose)
        kind = kind_of(mask, region, expose, mask_color)
        check_one_person(person, keypoints)
        check_finds_skin(kind, self.finds_skin, self.name)
        source = read_source(image)
        marked = mask if region is None else region
        given = None if marked is None else read_paint_mask(marked, source, mask_color)
        found = holes_of(source, mask_color) if kind == "found" else None
        if found is not None:
            found.check(source.where, mask_color)
        holes = given if found is None else found.mask
        with connections(self.trusted):
            labels = segmentation or segmented(self.segmenter, source.photo)
            check_segmentation(labels, source.photo, source.where)
            if not labels.person.any():
                raise DataError(f"{source.where}: nobody in the photo; try another segmenter")
            if given is not None:
                check_place(given, labels, source.where)
            shown = labels.person if holes is None else person_of_mask(labels.person, holes)
            if keypoints is not None:
                people = [keypoints]
            elif kind == "given" and person is None and self._does_without(source):
                people = []
            else:
                people = people_of(self.pose_encoder, source, labels, shown, person)
        pose = people[0] if people else None
        if found is not None and mask_color is None and pose is not None:
            found = holes_on_body(found, labels, pose, source.where)
            holes = found.mask
        allowed = allowed_pixels(kind, holes, expose, source.photo.pixels, labels, people, source.where)
        if found is not None:
            allowed = replace(allowed, warnings=(*allowed.warnings, *found.warnings()))
        if holes is None:
            shown = person_of_mask(shown, allowed.mask)
        by = labels_by(self.segmenter, self.segmenter_name, source.photo.path)
        seen = _Seen(labels, shown, pose, by if segmentation is None else "given")
        return self._painted(source, allowed, seen, seed, steps)

    def _does_without(self, source: SourcePhoto) -> bool:
        """Return whether a mask of a photo is painted without a pose; one in a file is always used."""
        return self.pose_optional and not on_disk(self.pose_encoder, source.photo.path)

    def _painted(
        self,
        source: SourcePhoto,
        allowed: Allowed,
        seen: _Seen,
        seed: int,
        steps: Steps,
    ) -> Painted:
        mask, labels = allowed.mask, seen.labels
        prepared = self.model.preparation
        around = person_box(seen.person | mask)
        assert around is not None
        box = crop_box(around, prepared.aspect, prepared.crop_margin)
        behind = allowed.behind
        limbs = mask & ~behind
        photo = source.photo.pixels
        if allowed.kind != "region":  # `bare` fills the background of a region
            photo = fill_background(photo, mask, behind, self.background, person=labels.person)
        small = self.model(self._condition(source, photo, limbs, as_background(labels, behind), seen, box))
        face = labels.of_classes(*face_classes(labels.classes))
        skin = labels.region("skin") & ~face
        if allowed.kind == "region":
            bared = bare(
                photo, mask, behind, skin, face, small, box,
                seed=seed, steps=steps, fill=self.background, where=source.where,
            )  # fmt: skip
            result, behind = bared.full, mask & ~bared.skin
            alpha = painted_alpha(source.alpha, mask, behind)
        else:
            colors = small[..., :3]  # the mask says where skin is, not the alpha
            alpha = painted_alpha(source.alpha, mask, behind)
            shown = None if alpha is None else alpha >= OPAQUE
            result = paint_full_resolution(
                photo, limbs, skin & ~mask, face, colors, box, seed=seed, steps=steps, shown=shown
            )
            if steps.feather:
                solid = behind if shown is None else behind & shown
                result = replace(result, image=soft_edge(result.image, limbs, solid, box.height))
        by = PaintedBy(self.name, self.model.size, seen.labels_by, seen.pose is not None, box)
        return laid_over(source, result, allowed, behind, alpha, by)

    def _condition(
        self,
        source: SourcePhoto,
        photo: RgbImage,
        limbs: Mask,
        labels: Segmentation,
        seen: _Seen,
        box: Box,
    ) -> Mapping[str, RgbImage]:
        """Return what the network sees, with a pose if one of its inputs needs it."""

        def find_pose() -> Keypoints:
            with connections(self.trusted):
                return people_of(self.pose_encoder, source, seen.labels, seen.person, None)[0]

        return make_condition(
            photo, limbs, labels, seen.pose, box, self.io, self.model.inputs, self.pose_encoder,
            self.model.preparation, find_pose,
        )  # fmt: skip
