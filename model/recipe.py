"""The recipe: everything that decides a painting, each setting declared once.

The command line, the protocol and the page read names, defaults, ranges and descriptions from here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from model.errors import Refusal

Changes = Mapping[str, Any]

MOST_ARTWORKS = 8


@dataclass(frozen=True)
class Setting:
    """What a person may know of one setting of the recipe."""

    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    steerable: bool = False


def _setting(default: Any, description: str, **more: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(description, **more)})


# What is no setting, but may be asked for while painting: {"stop": True}, and so many iterations {"more": 20}.
_NO_SETTINGS = ("stop", "more")
MORE = Setting("further iterations at full size", unit="steps", low=1, high=10_000, steerable=True)


@dataclass(frozen=True)
class Source:
    """Which picture went in: its name, and a digest of its pixels that tells it from others."""

    name: str
    digest: str


@dataclass(frozen=True)
class Change:
    """What the painter was told while at work, and before which iteration it took effect."""

    iteration: int
    settings: Changes


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a painting."""

    engine: str = _setting(
        "auto",
        "what paints: vgg19 (a neural network), patches (needs no weights), or auto: vgg19 if its weights can be had",
        choices=("auto", "vgg19", "patches"),
    )
    size: int = _setting(512, "long side of the painting", unit="px", low=32, high=4096)
    iterations: int = _setting(80, "steps, spread over all scales", unit="steps", low=1, high=10_000)
    style_weight: float = _setting(1.0, "how much the artwork counts; 1 is balanced", low=0, high=1e6, steerable=True)
    content_weight: float = _setting(1.0, "how much the photo counts; 1 is balanced", low=0, high=1e6, steerable=True)
    variation_weight: float = _setting(
        1.0, "how much smoothness counts; 1 is balanced", low=0, high=1e6, steerable=True
    )
    blend: tuple[float, ...] = _setting(
        (), "share of each artwork; all alike if not given", low=0, high=1e6, steerable=True
    )
    keep_colors: bool = _setting(False, "keep the photo's colours", steerable=True)
    seed: int = _setting(0, "start of all chance", low=0, high=2**32 - 1)
    init: str = _setting("photo", "what the painting starts from", choices=("photo", "noise"))
    scales: int = _setting(0, "sizes painted one after the other, coarse to fine; 0 is as many as fit", low=0, high=8)
    balanced: bool = _setting(True, "measure each loss against the pictures, so that weights mean the same on all")
    precision: str = _setting(
        "auto",
        "arithmetic of vgg19; auto is bfloat16 where the processor has it",
        choices=("auto", "float32", "bfloat16"),
    )
    learning_rate: float = _setting(0.05, "Adam's step in vgg19", low=1e-5, high=1)
    momentum: float = _setting(0.9, "Adam's first decay in vgg19", low=0, high=0.9999)
    fade: float = _setting(0.2, "share of Adam's step left at the end of each scale in vgg19", low=0.001, high=1)
    epsilon: float = _setting(1e-8, "Adam's floor in vgg19", low=1e-12, high=10)
    fingerprint: str = ""  # of the network's weights
    photo: Source | None = None
    artworks: tuple[Source, ...] = ()
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.fingerprint, str):
            raise Refusal("recipe_invalid", "The recipe's fingerprint is not text.", "Give a recipe that was saved.")
        for name, setting in settings().items():
            object.__setattr__(self, name, _checked(name, setting, getattr(self, name)))
        _check_total(self.iterations, sum(self.further))

    @property
    def further(self) -> tuple[int, ...]:
        """The steps of each further pass at full size, which were asked for while painting or later."""
        return tuple(change.settings["more"] for change in self.changes if "more" in change.settings)

    @property
    def total(self) -> int:
        """How many iterations there are in all, with those of further passes."""
        return self.iterations + sum(self.further)

    @property
    def end(self) -> int:
        """How many of them are painted: all, unless the painter is told to stop before."""
        stops = (change.iteration for change in self.changes if change.settings.get("stop"))
        return max(0, min([self.total, *stops]))

    def changed(self, iteration: int, changes: Changes) -> Recipe:
        """This recipe with `changes` written down as made before `iteration`."""
        changes = check_changes(changes)
        more = changes.pop("more", 0)
        recipe = replace(self, changes=(*self.changes, Change(iteration, changes))) if changes else self
        return recipe.extended(iteration - 1, more) if more else recipe

    def extended(self, iteration: int, more: int) -> Recipe:
        """This recipe with `more` iterations than were asked for so far, written down as wished after `iteration`.

        Where the painter was told to stop, it goes on from there, first with what the plan has left.
        """
        more = check_changes({"more": more})["more"]
        end, changes = max(self.end, iteration + 1) + more, []
        for change in self.changes:
            kept = {name: value for name, value in change.settings.items() if name != "stop"}
            if kept:
                changes.append(Change(change.iteration, kept))
        if end < self.total:
            changes.append(Change(end, {"stop": True}))
        elif end > self.total:
            changes.append(Change(iteration + 1, {"more": end - self.total}))
        return replace(self, changes=tuple(changes))

    def ending(self, iteration: int, end: int) -> Recipe:
        """This recipe with `end` iterations in all, written down as wished after `iteration`."""
        if end > self.end:
            return self.extended(iteration, end - max(self.end, iteration + 1))
        return self.changed(end, {"stop": True}) if end < self.end else self

    def at(self, iteration: int) -> Recipe:
        """The settings in force at `iteration`, the changes made until then applied."""
        new: dict[str, Any] = {}
        for change in self.changes:
            if change.iteration <= iteration:
                new.update(change.settings)
        for name in _NO_SETTINGS:
            new.pop(name, None)
        return replace(self, **new, changes=()) if self.changes else self

    def steered(self) -> dict[str, Any]:
        """The settings that can be changed while painting, as the last change leaves them."""
        force = self.at(self.total)
        return {name: getattr(force, name) for name, setting in settings().items() if setting.steerable}

    def stopped(self, iteration: int) -> bool:
        """Whether the painter was told to stop before `iteration`."""
        return any(change.settings.get("stop") for change in self.changes if change.iteration <= iteration)

    def shares(self, artworks: int) -> tuple[float, ...]:
        """The blend of so many artworks, adding up to 1."""
        blend = self.blend or (1.0,) * artworks
        if len(blend) != artworks:
            raise Refusal(
                "recipe_invalid",
                f"blend has {len(blend)} shares for {artworks} artworks.",
                "Give one share for each artwork.",
            )
        total = sum(blend)
        if total <= 0:
            raise Refusal("recipe_invalid", "blend adds up to 0.", "Give at least one artwork a share above 0.")
        return tuple(share / total for share in blend)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe written by `to_dict`, which may come from a stranger."""
        if not isinstance(values, Mapping):
            raise Refusal("recipe_invalid", "This is not a recipe: it has no settings.", "Give one that was saved.")
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(map(str, values)) - known)
        if unknown:
            raise Refusal(
                "recipe_invalid",
                f"A recipe has no setting {unknown[0]!r}.",
                f"Settings are {', '.join(settings())}.",
            )
        values = dict(values)
        try:
            if values.get("photo") is not None:
                values["photo"] = _source(values["photo"])
            values["artworks"] = tuple(map(_source, values.get("artworks", ())))
            values["changes"] = tuple(
                Change(int(change["iteration"]), check_changes(change["settings"]))
                for change in values.get("changes", ())
            )
        except Refusal:
            raise
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
            raise Refusal("recipe_invalid", f"This is not a recipe: {error!r}.", "Give one that was saved.") from error
        return cls(**values)


# Reproduces the neural style transfer tutorial of TensorFlow's documentation.
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "original": {
        "engine": "vgg19",
        "style_weight": 1e-2,
        "content_weight": 1e4,
        "variation_weight": 30.0,
        "scales": 1,
        "balanced": False,
        "precision": "float32",
        "learning_rate": 0.02,
        "momentum": 0.99,
        "fade": 1.0,
        "epsilon": 0.1,
    },
}


def settings() -> dict[str, Setting]:
    """Every setting by name."""
    return {each.name: each.metadata["setting"] for each in fields(Recipe) if "setting" in each.metadata}


def check_changes(changes: Changes, artworks: int = 0, total: int = 0) -> dict[str, Any]:
    """`changes` with plain values of the right kind, or a refusal: steerable settings, or "stop", or "more".

    A blend has to fit so many artworks, and {"more": iterations} the total until now, if they are known.
    """
    if not isinstance(changes, Mapping):
        raise Refusal("change_invalid", "Changes have to be settings by name.", 'For example {"style_weight": 2}.')
    steerable = {name: setting for name, setting in settings().items() if setting.steerable}
    checked = {}
    for name, value in changes.items():
        if name == "stop":
            checked[name] = _flag(name, value)
        elif name == "more":
            checked[name] = _number(name, MORE, value, int)
        elif name in steerable:
            checked[name] = _checked(name, steerable[name], value)
        else:
            raise Refusal(
                "change_invalid",
                f"{name} cannot be changed while painting.",
                f"What can: {', '.join(steerable)}, stop and more.",
            )
    if checked.get("stop") and "more" in checked:
        raise Refusal(
            "change_invalid", "To stop and to paint more cannot be asked for at once.", "Ask for one of them."
        )
    if artworks and "blend" in checked:
        Recipe(blend=tuple(changes["blend"])).shares(artworks)
    _check_total(total, checked.get("more", 0))
    return checked


def _check_total(total: int, more: int) -> None:
    """Refuse more iterations than a painting may have."""
    most = settings()["iterations"].high
    assert most is not None
    if total + more > most:
        raise Refusal(
            "iterations_many",
            f"With {more:,} more, the painting would have {total + more:,} iterations; {most:,} are allowed.",
            "Ask for fewer, or start another painting from this one.",
        )


_KINDS: dict[str, type] = {each.name: type(each.default) for each in fields(Recipe) if "setting" in each.metadata}


def _checked(name: str, setting: Setting, value: Any) -> Any:
    """`value` as the type of the setting and in its range, or a refusal naming setting, value and range."""
    kind = _KINDS[name]
    if kind is bool:
        return _flag(name, value)
    if kind is str:
        if value not in setting.choices:
            raise _refusal(name, value, "one of " + ", ".join(setting.choices))
        return value
    if kind is tuple:
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            raise _refusal(name, value, "a list of numbers")
        return tuple(_number(name, setting, share, float) for share in value)
    return _number(name, setting, value, kind)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refusal(name, value, "true or false")
    return value


def _number(name: str, setting: Setting, value: Any, kind: type) -> Any:
    assert setting.low is not None
    assert setting.high is not None
    span = f"from {setting.low:,.12g} to {setting.high:,.12g} {setting.unit}".strip()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refusal(name, value, f"a number {span}")
    if isinstance(value, float) and not math.isfinite(value):
        raise _refusal(name, value, f"a number {span}")
    if kind is int and value != int(value):
        raise _refusal(name, value, f"a whole number {span}")
    if not setting.low <= value <= setting.high:
        raise _refusal(name, value, span)
    return kind(value)


def _refusal(name: str, value: Any, allowed: str) -> Refusal:
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    return Refusal("setting_invalid", f"{name} is {shown}, but it has to be {allowed}.", f"Change {name}.")


def _source(value: Any) -> Source:
    source = Source(value["name"], value["digest"])
    if not isinstance(source.name, str) or not isinstance(source.digest, str):
        raise TypeError("a picture's name and digest have to be text")
    return source
