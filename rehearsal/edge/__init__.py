"""The edge: does at one local address what the template's CloudFront distribution does.

Behaviours, their order and methods, what goes on to each origin and what is told to browsers are read from the very
template; the routing function is the very file, run by Node. What stands in for CloudFront is the rest: there is no TLS
(a page's origin is told to studios as it would be with it), nothing is cached, and the bucket policies are applied
here, since emulated buckets know none.

- `distribution` is what the template says, `routing` the function, `buckets` what may be read of S3;
- `handler` answers one request, `tunnel` joins a viewer with a studio, `edge` has them all started and stopped.

    edge = Edge(port=8080, site="site-bucket", gallery="gallery-bucket", s3=boto3.client("s3", ...), api="http://...",
                key=ticket_key, region="eu-central-1", name="d111111abcdef8.cloudfront.net", lookup=address_of)
    address = await edge.start()   # http://127.0.0.1:8080
    edge.drop()                    # cuts all links to studios, once
    await edge.stop()
"""

from rehearsal.edge.edge import Edge

__all__ = ["Edge"]
