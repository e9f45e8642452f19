"""The rules of the doctor: one file each, named by area, number and subject; ``registry`` finds them."""
