"""What every answer tells the browser about safety."""

from __future__ import annotations

import tornado.web

# Everything the page uses comes from here: no other origin, no inline script or style, and no frame around it.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


class SafeHandler(tornado.web.RequestHandler):
    """A handler whose every answer, errors included, carries the security headers."""

    def set_default_headers(self) -> None:
        """Add the security headers, and keep the server's make to ourselves."""
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")
