"""What tests ask of real traffic: `messages.expect(...)` and its like. The pytest plugin loads `fixture` on use."""
