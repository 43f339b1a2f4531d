"""What happens: each protocol once, as sync generators that yield the steps they want answered."""
