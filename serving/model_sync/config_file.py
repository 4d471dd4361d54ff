"""The file `models.config` of a model server: TensorFlow Serving's ModelServerConfig as text, for one model (contract 10).

It is written by string formatting and read back by comparison with what would be written. So this program needs neither protobuf nor the
classes of `tensorflow-serving-api`, which install TensorFlow.
"""

import re
from pathlib import Path

from robo_poet.atomic import write_text
from serving.model_sync.plan import Config

NAME = "models.config"

_VERSION = re.compile(r"^ {8}versions: (\d+)$", re.MULTILINE)
_LABEL = re.compile(r'^ {4}version_labels \{ key: "(\w+)" value: (\d+) \}$', re.MULTILINE)


def render(base: Path, config: Config) -> str:
    """Return the text of the file.

    Args:
        base: folder of the versions. Its name is the name of the model.
    """
    versions = "".join(f"        versions: {number}\n" for number in sorted(config.versions))
    labels = "".join(f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in sorted(config.labels.items()))
    return (
        "model_config_list {\n  config {\n"
        f'    name: "{base.name}"\n    base_path: "{_escaped(base)}"\n    model_platform: "tensorflow"\n'
        f"    model_version_policy {{\n      specific {{\n{versions}      }}\n    }}\n{labels}  }}\n}}\n"
    )


def parse(base: Path, text: str) -> Config:
    """Return the configuration of a text that `render` has written for this folder; an empty one for any other text."""
    config = Config(frozenset(map(int, _VERSION.findall(text))), {label: int(number) for label, number in _LABEL.findall(text)})
    # Earlier releases wrote the labels in another order.
    return config if sorted(render(base, config).splitlines()) == sorted(text.splitlines()) else Config()


def read(base: Path) -> Config:
    """Return the configuration in the file beside the folder `base`; an empty one if there is no file, or not one of this program."""
    try:
        return parse(base, (base.parent / NAME).read_text("utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return Config()


def write(base: Path, config: Config) -> bool:
    """Replace the file beside the folder `base` atomically. Return False if it has this content already.

    Raises:
        OSError: the file cannot be written.
    """
    path, text = base.parent / NAME, render(base, config)
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    write_text(path, text, durable=True)
    return True


def _escaped(base: Path) -> str:
    """Return an absolute path as the content of a string in a text protobuf."""
    return str(base.resolve()).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
