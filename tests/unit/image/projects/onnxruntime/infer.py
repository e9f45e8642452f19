import onnxruntime

if __name__ == "__main__":
    print(onnxruntime.get_available_providers())
