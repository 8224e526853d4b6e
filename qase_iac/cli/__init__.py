"""The command line: options in, one call into workflow, text out. The only room that prints."""
