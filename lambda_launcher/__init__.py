"""The launcher: finds or boots a machine with a GPU, and makes sure that none is left running.

A *studio* is one server with its easels; in the cloud, one EC2 instance started from the image that ``ami/`` describes.
The Lambdas of this room start one when somebody wants to paint, say how far its boot has come, hand out the *ticket*
(a short-lived signed permission) that opens its door, keep the day's spending under its ceiling, and end what is idle.
Their CloudFormation template and the command that deploys it belong here too.

Imports: this room ships as its own small zip, so it uses none of the other rooms: the standard library, boto3,
Powertools for AWS Lambda and PyJWT are all it may import, and nothing imports it but the command line.

The room is empty so far: the program runs on one machine without any of it.
"""
