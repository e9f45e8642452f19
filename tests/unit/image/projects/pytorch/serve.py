import torch

if __name__ == "__main__":
    model = torch.compile(torch.nn.Linear(2, 2).cuda())
    print(model)
