"""The commands of `scalable-tf`: a module each, with `add`, which makes the command's parser.

Modules that need TensorFlow are imported by the function that runs the command, so that `--help`, a typo in the
settings and the commands that do without stay quick.
"""
