"""The rehearsal: the whole journey on one machine, with no AWS account.

``visualneurons rehearse`` deploys the real template to an emulated cloud, where the real Lambdas answer, and lets a
visitor of a page at one local address have a studio booted, paint in it and leave it to its end. What no emulator can
do is done by small stand-ins, each in a module of its own:

- `emulator` runs MiniStack, which is everything of AWS but EC2's machines and CloudFront's edge;
- `ec2` stands before the emulator's EC2 and answers CreateFleet as EC2 would, with and without capacity;
- `machines` makes of each instance a local process, started from its real user data, and `metadata` tells it who it is;
- `edge` is CloudFront: it runs the real routing function.

`stack` deploys, `faults` are what may go wrong, `view` and `table` show studios and money, `rehearsal` holds all of it
together, and `processes` sees to it that nothing outlives it. Everything listens on 127.0.0.1 alone.

Imports: this room may use `lambda_launcher`, whose functions deploy the stack and read its table, boto3 and tornado.
Everything else it starts as processes of their own, and only the command line imports it.
"""
