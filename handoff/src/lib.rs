//! Whose turn is it? Sees claims, reviews and sessions, delivers messages and proves it.
