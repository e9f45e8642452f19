"""The rules on Dockerfiles, a module for each area; ``dockerfile_checks`` puts them together."""
