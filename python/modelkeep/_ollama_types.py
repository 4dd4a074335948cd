"""The responses of `modelkeep.ollama`: what those of the package `ollama` can do, without pydantic."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, cast


class ByteSize(int):
    """A number of bytes."""

    __slots__ = ()

    def human_readable(self, decimal: bool = False, separator: str = "") -> str:
        """Return the size for people, as in `1.9GiB`, or, where `decimal`, as in `2.0GB`."""
        step, infix = (1000, "") if decimal else (1024, "i")
        number, letters = float(self), ("", "K", "M", "G", "T", "P")
        for letter in letters:
            if abs(number) < step:
                unit = f"{letter}{infix}B" if letter else "B"
                return f"{number:0.{1 if letter else 0}f}{separator}{unit}"
            number /= step
        return f"{number:0.1f}{separator}E{infix}B"


class SubscriptableBaseModel:
    """A response: its fields are attributes and items, and the absent ones are `None`."""

    # How the value of a field is made of the JSON; in the order of the fields.
    _fields: ClassVar[Mapping[str, Callable[[Any], Any] | None]] = {}
    # What a field is called in the JSON, where that is another name.
    _aliases: ClassVar[Mapping[str, str]] = {}
    _required: ClassVar[frozenset[str]] = frozenset()
    _set: set[str]

    def __init__(self, **values: Any) -> None:
        object.__setattr__(self, "_set", set())
        for name, convert in self._fields.items():
            alias = self._aliases.get(name, name)
            if alias in values:
                value = values[alias]
                value = convert(value) if convert and value is not None else value
                self._set.add(name)
            elif name in self._required:
                raise ValueError(f"{type(self).__qualname__}: the field {alias} is required")
            else:
                value = None
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise ValueError(f'"{type(self).__name__}" object has no field "{name}"')
        object.__setattr__(self, name, value)
        self._set.add(name)

    def __getitem__(self, key: str) -> Any:
        if key in self:
            return getattr(self, key)
        raise KeyError(key)

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self, key: object) -> bool:
        return key in self._set

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, or `default` where there is no such field."""
        return getattr(self, key, default)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in self._fields:
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown(', ')})"

    def __str__(self) -> str:
        return self._shown(" ")

    def _shown(self, separator: str) -> str:
        return separator.join(f"{name}={value!r}" for name, value in self)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that were given."""
        return self._set

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Any = None,
        exclude: Any = None,
        by_alias: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Return the fields as a dictionary; with `mode="json"` as what JSON can hold."""
        options = {
            "mode": mode,
            "by_alias": by_alias,
            "exclude_unset": exclude_unset,
            "exclude_defaults": exclude_defaults,
            "exclude_none": exclude_none,
        }
        dumped: dict[str, Any] = {}
        for name, value in self:
            is_left = (
                (include is not None and name not in include)
                or (exclude is not None and name in exclude)
                or (exclude_unset and name not in self._set)
                or ((exclude_defaults or exclude_none) and value is None)
            )
            if not is_left:
                key = self._aliases.get(name, name) if by_alias else name
                dumped[key] = _dumped(value, options)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """Return the fields as JSON; the options are those of `model_dump`."""
        dumped = self.model_dump(mode="json", **options)
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(dumped, ensure_ascii=False, indent=indent, separators=separators)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, with other values for some fields."""
        import copy

        made = copy.deepcopy(self) if deep else copy.copy(self)
        object.__setattr__(made, "_set", set(self._set))
        for name, value in (update or {}).items():
            setattr(made, name, value)
        return made

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> Self:
        """Return the response that a dictionary holds."""
        return cls(**values)

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Return the response that a JSON text holds."""
        return cls(**json.loads(text))


def _dumped(value: Any, options: dict[str, Any]) -> Any:
    if isinstance(value, SubscriptableBaseModel):
        return value.model_dump(**options)
    if isinstance(value, list):
        return [_dumped(item, options) for item in cast("Any", value)]
    if isinstance(value, dict):
        drops, pairs = options["exclude_none"], cast("dict[str, Any]", value)
        kept = [(key, item) for key, item in pairs.items() if not (drops and item is None)]
        return {key: _dumped(item, options) for key, item in kept}
    if options["mode"] == "json" and isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if value.utcoffset() == timedelta(0) else text
    return value


def _time(value: Any) -> datetime:
    # Of nine digits of a second, six are kept.
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _each(model: type[SubscriptableBaseModel]) -> Callable[[Any], Any]:
    return lambda values: [_of(model)(value) for value in values]


def _of(model: type[SubscriptableBaseModel]) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, model) else model(**value)


class ModelDetails(SubscriptableBaseModel):
    """The facts of a model."""

    parent_model: str | None
    format: str | None
    family: str | None
    families: list[str] | None
    parameter_size: str | None
    quantization_level: str | None

    _fields = dict.fromkeys(
        ("parent_model", "format", "family", "families", "parameter_size", "quantization_level")
    )


class ListResponse(SubscriptableBaseModel):
    """The models of a store."""

    class Model(SubscriptableBaseModel):
        """A model of the list."""

        model: str | None
        modified_at: datetime | None
        digest: str | None
        size: ByteSize | None
        details: ModelDetails | None

        _fields = {
            "model": None,
            "modified_at": _time,
            "digest": None,
            "size": ByteSize,
            "details": _of(ModelDetails),
        }

    models: list[Model]

    _fields = {"models": _each(Model)}
    _required = frozenset({"models"})


class StatusResponse(SubscriptableBaseModel):
    """What became of a change: `success`."""

    status: str | None

    _fields = {"status": None}


class ShowResponse(SubscriptableBaseModel):
    """What is known of a model."""

    modified_at: datetime | None
    template: str | None
    modelfile: str | None
    license: str | None
    details: ModelDetails | None
    modelinfo: Mapping[str, Any] | None
    parameters: str | None
    capabilities: list[str] | None

    _fields = {
        "modified_at": _time,
        "template": None,
        "modelfile": None,
        "license": None,
        "details": _of(ModelDetails),
        "modelinfo": None,
        "parameters": None,
        "capabilities": None,
    }
    _aliases = {"modelinfo": "model_info"}
    _required = frozenset({"modelinfo"})


class ProcessResponse(SubscriptableBaseModel):
    """The models that run: none, in a store."""

    class Model(SubscriptableBaseModel):
        """A model that runs."""

        model: str | None
        name: str | None
        digest: str | None
        expires_at: datetime | None
        size: ByteSize | None
        size_vram: ByteSize | None
        details: ModelDetails | None
        context_length: int | None

        _fields = {
            "model": None,
            "name": None,
            "digest": None,
            "expires_at": _time,
            "size": ByteSize,
            "size_vram": ByteSize,
            "details": _of(ModelDetails),
            "context_length": None,
        }

    models: list[Model]

    _fields = {"models": _each(Model)}
    _required = frozenset({"models"})


class ProgressResponse(StatusResponse):
    """How far a transfer is; nothing here makes one."""

    completed: int | None
    total: int | None
    digest: str | None

    _fields = dict.fromkeys(("status", "completed", "total", "digest"))


class Options(SubscriptableBaseModel):
    """The parameters of a running model, by their names."""

    def __init__(self, **values: Any) -> None:
        object.__setattr__(self, "_fields", dict.fromkeys(values))
        super().__init__(**values)


class Message(Options):
    """A message to or from a running model."""


class Image(Options):
    """An image for a running model."""


class Tool(Options):
    """A tool of a running model."""


class GenerateResponse(Options):
    """What a running model returns; nothing here makes one."""


class ChatResponse(Options):
    """What a running model returns; nothing here makes one."""


class EmbedResponse(Options):
    """What a running model returns; nothing here makes one."""


class EmbeddingsResponse(Options):
    """What a running model returns; nothing here makes one."""


class WebSearchResponse(Options):
    """What a search returns; nothing here makes one."""


class WebFetchResponse(Options):
    """What a fetch returns; nothing here makes one."""
