import tensorflow as tf


def main():
    print(tf.config.list_physical_devices("GPU"))
