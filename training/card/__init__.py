"""What a model says of itself: figures, pictures, sentences and the page that holds them."""
