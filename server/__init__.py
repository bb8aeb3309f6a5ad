"""The server: the program's face on the network.

It speaks HTTP and WebSocket through tornado: the static site of ``website/``, the sockets that a page talks to, limits,
health, and the life of a *studio* (one server with its easels). Its event loop only passes things on: decoding and
encoding go to a thread, painting to an easel in another process. It answers within a second of its start, whatever the
model is doing. What it says and hears is written down in ``docs/protocol.md``.

================================  ====================================================================================
``server.command``                ``visualneurons serve``: its options, listening, ending
``server.application``            which address is answered by what
``server.listener``               takes connections, not too many from one address
``server.entrance``               what every handler is given: the controller, and whom to let in
``server.style_transfer_socket``  `StyleTransferSocket`: one viewer, who may be the owner of what is painted
``server.packets``                a frame as it goes into each viewer's connection, made once for all of them
``server.paintings``              paintings over HTTP
``server.requests``               from what a stranger sends to what is meant
``server.handlers``               what all handlers share; ``server.headers``: what every answer tells browsers
``server.errors``                 the one table of refusals
``server.limits``                 what one visitor may take
``server.origins``, ``tickets``   who may come in
``server.site``, ``artworks``     the static site, and the collection of artworks
``server.cloud``                  the life of a studio that has a machine of its own, in the cloud
``server.health``, ``metrics``    for those who watch whether the server lives, and what it does; ``server.logs``
================================  ====================================================================================

Imports: the server uses ``controller`` and ``gallery``, and reaches ``model`` only through the controller. It never
imports TensorFlow, keras or JAX. Nothing imports the server but the command line.
"""
