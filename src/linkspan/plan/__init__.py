"""Arithmetic on frozen data: request and facts in, injection out."""
