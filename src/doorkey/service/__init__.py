"""What users do: sign in, choose an account, get a token, chat; steps or plain code, never written twice."""
