from setuptools import setup

setup(name="plain", version="1", packages=["plain"], install_requires=["httpx>=0.27"])
