"""Who walks the graph and where: the node entry point, the runners and the command line."""
