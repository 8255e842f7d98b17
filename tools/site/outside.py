"""A hook of mkdocs: a link out of docs/ leads nowhere on the site, so it becomes the path it names."""
import re

OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+([^)\s]*)\)")


def path_instead(found):
    text, path = found.groups()
    return f"`{path}`" if text.strip("`").endswith(path) else f"{text} (`{path}`)"


def leads_outside(link, page):
    depth = page.file.src_uri.count("/")
    return link.count("../") > depth


def on_page_markdown(markdown, page, **_):
    return OUTSIDE.sub(
        lambda found: path_instead(found) if leads_outside(found.group(0), page) else found.group(0), markdown)
