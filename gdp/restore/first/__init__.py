"""Where a restoration may start besides: what another network makes of the photo, or patches."""
