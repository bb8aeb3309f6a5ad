"""From an account to a site, and back: what ``visualneurons deploy``, ``destroy`` and ``studios`` stand on.

- `trouble` is what can go wrong, in sentences, and `account` whose cloud it is;
- `prices` says what it costs, `plan` what the template is told, `network` where the studios are to be;
- `wheel`, `image` and `site` are what is installed: the program, what its machine is made from, and the page;
- `artifacts` is the bucket from which the cloud takes them, `stack` the CloudFormation stack.

boto3 is imported when an account is first spoken to, so that these commands can say so where it is missing. None of
this is in the Lambdas' zip.
"""
