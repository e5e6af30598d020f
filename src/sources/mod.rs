//! How usage sources speak: pure conversations.
