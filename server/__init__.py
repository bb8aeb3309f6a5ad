"""The server: the program's face on the network.

It speaks HTTP and WebSocket through tornado: the static site of ``website/``, the sockets that a page talks to, limits,
health, and the life of a *studio* (one server with its easels). Its event loop only passes things on: decoding and
encoding go to a thread, painting to an easel in another process. It answers within a second of its start, whatever the
model is doing.

======================  ==========================================================================
``server.command``      ``visualneurons serve``: its options, listening, ending
``server.application``  which address is answered by what
``server.site``         the static site
``server.health``       ``/healthz``, for those who watch whether the server lives
``server.headers``      what every answer tells the browser about safety
======================  ==========================================================================

Imports: the server uses ``controller`` and ``gallery``, and reaches ``model`` only through the controller. It never
imports TensorFlow, keras or JAX. Nothing imports the server but the command line.

So far it serves one page, which says what the program does today; the socket for paintings is still to come.
"""
