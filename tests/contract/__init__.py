"""The contract that engines and images have with a GPU container toolkit, as a suite for any toolkit.

``python -m tests.contract`` runs it and prints a comparison; with pytest it holds linkspan to it. Which programs are
under test is said by variables, see ``programs``.
"""
