from setuptools import find_packages, setup

# Every folder with an __init__.py, and conf/ as gdp.conf, which setup.cfg's find: cannot add.
setup(
    packages=[*find_packages(include=["gdp*", "operators*", "samplers*"]), "gdp.conf"],
    package_dir={"gdp.conf": "conf"},
)
