"""All of it on the CPU target: `import tensorrt` is this package, and tensor addresses are host pointers."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import burnish.tensorrt  # noqa: E402

burnish.tensorrt.install(target="cpu")


def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU; skipped where there is none")


def pytest_collection_modifyitems(items):
    from burnish import devices

    if devices.count() == 0:
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="there is no GPU here"))


class Log(burnish.tensorrt.ILogger):
    """Keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def log(self, severity, msg):
        self.messages.append((severity.name, msg))

    def of(self, severity):
        return [text for name, text in self.messages if name == severity]


@pytest.fixture
def log():
    return Log()
