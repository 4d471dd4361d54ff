import socket

import pytest

from robo_poet.errors import BadInput
from serving.model_server.__main__ import _listener


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    with _listener("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_said() -> None:
    with _listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(BadInput, match=rf"127.0.0.1:{port}: the address cannot be used \(Address already in use\)"):
            _listener("127.0.0.1", port)
