//! The settings file, read into the settings of each room.
