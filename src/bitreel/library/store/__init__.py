"""The engines that keep the codes of libraries that outgrow a folder."""
