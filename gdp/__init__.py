"""Zero-shot photo restoration with a pretrained, unconditional diffusion prior."""

__version__ = "0.1.0"
