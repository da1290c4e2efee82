"""Many photos on many workers, from and to any storage: by Ray, or one after another here."""
