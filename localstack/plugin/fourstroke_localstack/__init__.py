"""What LocalStack wants Docker and downloads for, without them."""
