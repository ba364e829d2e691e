def golden_values(data):
    return {}
