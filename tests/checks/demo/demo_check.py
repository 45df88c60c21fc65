"""Signs in as everybody the demonstration names and asks the README's first question."""

import json
import subprocess
import sys
import urllib.request

url, sign_ins, readme = sys.argv[1:4]


def ask(tenant, document, token=None, **variables):
    headers = {"content-type": "application/json", "rollcall-tenant": tenant}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        f"{url}/graphql",
        data=json.dumps({"query": document, "variables": variables}).encode(),
        headers=headers,
    )
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    return answer["data"]


def sign_in(tenant, person):
    document = "mutation($it: BeginLoginInput!) { beginLogin(input: $it) { loginId } }"
    begun = ask(tenant, document, it={"identifier": person["identifier"]})
    document = """mutation($it: CompleteLoginInput!) {
        completeLogin(input: $it) { sessionToken userErrors { code message } } }"""
    given = {"loginId": begun["beginLogin"]["loginId"], "password": person["password"]}
    done = ask(tenant, document, it=given)["completeLogin"]
    assert done["userErrors"] == [] and done["sessionToken"], (tenant, person, done)
    return done["sessionToken"]


with open(sign_ins, encoding="utf-8") as file:
    tenants = json.load(file)["tenants"]


def main():
    roles = set()
    for tenant in tenants:
        for person in tenant["people"]:
            sign_in(tenant["slug"], person)
            roles.add(person["role"])
    print(f"{sum(len(tenant['people']) for tenant in tenants)} people signed in")
    expected = {"OPERATOR", "PA", "PS", "AU", "ORGANIZATION_ADMIN", "NPI_ADMIN", "PROCESSOR", "SUBMITTER_ADMIN"}
    assert expected <= roles, expected - roles

    with open(readme, encoding="utf-8") as file:
        blocks = file.read().split("```")[1::2]
    (question,) = [block for block in blocks if block.startswith("\nurl=")]
    script = question.replace("http://127.0.0.1:8080", url)
    answer = json.loads(subprocess.run(["bash", "-euc", script], check=True, capture_output=True).stdout)
    nodes = answer["data"]["accessRegister"]["nodes"]
    assert len(nodes) == 5 and all(node["cause"]["kind"] for node in nodes), answer
    print("the README's question is answered")


if __name__ == "__main__":
    main()
