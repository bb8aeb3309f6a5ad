"""The launcher: finds or boots a machine with a GPU, and makes sure that none is left running.

A *studio* is one server with its easels; in the cloud, one EC2 instance started from the image that ``ami/`` describes.
The Lambdas of this room start one when somebody wants to paint, say how far its boot has come, hand out the *ticket*
(a short-lived signed permission) that opens its door, keep the day's spending under its ceiling, and end what is idle.
Their CloudFormation template and the command that deploys it belong here too.

What is decided is decided upon items and machines that any `Store` and any `Fleet` give:

- `launcher` is what visitors' requests do, `reaper` what the schedule does, `choice` where a visitor is sent, `brake`
  when no more machines are asked for;
- `paintings` is what the gallery knows, so that nobody who only looks has a machine started;
- `studio` is one studio as the table knows it, `roll` all of them, `ledger` the budget, `boots` what boots have taken;
- `store` is how several items are changed at once, `fleet` what can be done with machines;
- `tickets`, `addresses`, `settings`, `errors` are what they are called.

At the edge, `table` is the store in DynamoDB, `ec2` the fleet in EC2, and `handlers` the Lambdas.

What deploys all this runs at home: `deploy`, `destroy` and `studios` are the commands, `command` is what they share,
`bundle` makes the Lambdas' zip, and `template` puts the template together.

Imports: this room ships as its own small zip, so it uses none of the other rooms: the standard library, boto3,
Powertools for AWS Lambda and PyJWT are all it may import, and nothing imports it but the command line.
"""
