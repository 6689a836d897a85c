"""What does this fix mean? Pure: values in, values out."""
