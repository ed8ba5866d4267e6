"""InternVideo3: Qwen3-VL with multimodal multi-head latent attention (M²LA), arXiv 2606.12195."""
