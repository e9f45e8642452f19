import tritonclient.http

print(tritonclient.http)
