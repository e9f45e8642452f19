"""The rules of the image checker: one file each, named by area, number and subject; ``registry`` finds them."""
