"""The commands of `keepwell`, by what they are about. They compose the parts; no part imports them."""
