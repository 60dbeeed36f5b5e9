"""HTTP/1.1 as uvicorn speaks it, for clients that offer to go on in another protocol."""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PlainProtocol(HttpToolsProtocol):
    """Answers who offers an upgrade (`Upgrade: h2c`, as Java's HttpClient does at first) as if there were no offer.

    The parser stops after the headers of such a request: its body would be lost. So they are parsed once more,
    without the offer.
    """

    def data_received(self, data: bytes) -> None:
        """Some bytes, wherever they begin and end."""
        self._unset_keepalive_if_required()
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if not self._offered():
                    return
                data = self._head() + data[stop.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return
            else:
                return

    def on_headers_complete(self) -> None:
        """What follows is the body."""
        if not self._offered():
            super().on_headers_complete()
            # uvicorn knows `Connection: close` in these letters only, not `Close` nor `TE, close`.
            self.cycle.keep_alive = self.cycle.keep_alive and self.parser.should_keep_alive()

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        if not self._offered():
            super().on_message_complete()

    def _offered(self) -> bool:
        return self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)

    def _head(self) -> bytes:
        """The request's first bytes, without the offer."""
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        kept = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return line + b"".join(kept) + b"\r\n"
