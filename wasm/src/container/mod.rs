//! The container: all blobs of a database as extents of one random-access file.
