"""Where the vault and the chats are kept."""
