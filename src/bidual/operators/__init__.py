"""The hot kernels: masked products, cone projections, batched ascent. They know arrays, not neural networks."""
