// For a worker: its clock stands still.
Date.now = () => Date.parse('2026-01-01T00:00:00Z');
