"""What the service answers: requests and answers as typed models, each endpoint a plain function, one document of all."""
