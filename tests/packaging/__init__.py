"""Tests of the packages: built, installed on a fresh Debian, and taken away again."""
