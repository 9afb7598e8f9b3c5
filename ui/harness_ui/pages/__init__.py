"""The pages, one module each; `show` draws one."""
