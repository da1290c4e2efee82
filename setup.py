from setuptools import setup

setup()  # pip refuses a tree that has setup.cfg alone
